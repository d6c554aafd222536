/** Training on libtorch: the verbs, and what all trainings share. */
package org.jmatte.train;
