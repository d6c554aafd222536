/**
 * Checkpoints: safetensors, PyTorch's {@code .pth} in its zip and its older layout, Hugging Face directories, and
 * weights generated from a seed. Files are mapped, never copied to the heap, and never run.
 */
package org.jmatte.weights;
