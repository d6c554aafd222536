/** Training samples for matting: composed images with exact alpha, foreground, background and trimap. */
package org.jmatte.train.data;
