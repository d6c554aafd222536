/** The command line: one class per verb, {@link org.jmatte.cli.Main} before them. */
package org.jmatte.cli;
