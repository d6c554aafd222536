/** What all backends share: the way of one matte around the network, and what is wanted of it. Not for callers. */
package org.jmatte.execution;
