/** MEMatte and ViTMatte on libtorch, and how MEMatte is trained; a second definition beside the inference engine's. */
package org.jmatte.train.mematte;
