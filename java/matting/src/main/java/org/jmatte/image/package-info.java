/** Photos, trimaps and alphas: pixels in memory, read from and written to files. */
package org.jmatte.image;
