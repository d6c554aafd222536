/** PAM on libtorch and its training in three stages; a second definition of the network beside the inference engine's. */
package org.jmatte.train.pam;
