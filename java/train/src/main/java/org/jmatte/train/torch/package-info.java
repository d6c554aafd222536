/** What the trained networks are made of, over JavaCPP's binding of libtorch. */
package org.jmatte.train.torch;
