package org.jmatte.bindings.cpu;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The functions of {@code native/cpu}, described in {@code jmatte_cpu.h} and {@code kernels.inc}. Addresses travel as
 * {@code long}; nothing is checked here.
 */
@Platform(value = "linux-x86_64", include = "jmatte_cpu.h", link = "jmatte_cpu")
@Namespace("jmatte")
@NoException
public final class CpuKernels {
    static {
        Loader.load();
    }

    private CpuKernels() {}

    public static native int detect_isa();

    public static native void use_isa(int isa);

    public static native void use_one_thread();

    public static native void use_huge_pages(@Cast("void*") long block, long bytes);

    public static native void layer_norm(
            @Cast("const float*") long x,
            @Cast("const int*") long index,
            long rows,
            int channels,
            @Cast("const float*") long weight,
            @Cast("const float*") long bias,
            float eps,
            int gelu,
            @Cast("void*") long out,
            int type);

    public static native void convert_rows(
            @Cast("const float*") long x, long elements, @Cast("void*") long out, int type);

    public static native void gather_rows(
            @Cast("const void*") long x,
            int type,
            @Cast("const int*") long index,
            long first,
            long rows,
            int channels,
            @Cast("void*") long out);

    public static native void add_rows(
            @Cast("float*") long x,
            @Cast("const int*") long index,
            long rows,
            int channels,
            @Cast("const void*") long y,
            int type);

    public static native void scatter_rows(
            @Cast("const void*") long y,
            int type,
            @Cast("const int*") long index,
            long rows,
            int channels,
            @Cast("void*") long out);

    public static native void add_position(
            @Cast("float*") long x,
            long first,
            long rows,
            int grid_height,
            int grid_width,
            int channels,
            @Cast("const float*") long table);

    public static native void split_halves(
            @Cast("const float*") long y,
            long rows,
            int channels,
            @Cast("void*") long local,
            int type,
            @Cast("float*") long sums);

    public static native void router_margins(
            @Cast("const void*") long y,
            int type,
            long rows,
            int channels,
            @Cast("const float*") long weight,
            float bias,
            @Cast("float*") long margin);

    public static native long keep_tokens(
            @Cast("const float*") long margin, long tokens, long cap, @Cast("unsigned char*") long keep);

    public static native long compact_tokens(
            @Cast("const unsigned char*") long keep, long tokens, @Cast("int*") long selected, @Cast("int*") long rest);

    public static native void depthwise5x5_gelu(
            @Cast("const void*") long map,
            int type,
            int ring,
            int height,
            int width,
            int channels,
            @Cast("const float*") long weight,
            @Cast("const float*") long bias,
            int y,
            int first,
            int columns,
            @Cast("void*") long out,
            @Cast("float*") long sums);

    public static native void merge_tokens(
            @Cast("float*") long x,
            @Cast("const void*") long y,
            int type,
            @Cast("const unsigned char*") long keep,
            @Cast("const float*") long scale,
            long rows,
            int channels);

    public static native void unfold_pixels(
            @Cast("const void*") long photo,
            int bits,
            long photo_stride,
            @Cast("const unsigned char*") long trimap,
            int snap,
            int height,
            int width,
            @Cast("const float*") long scale,
            @Cast("const float*") long shift,
            int kernel,
            int stride,
            int padding,
            int y0,
            int x0,
            int rows,
            int columns,
            @Cast("void*") long out,
            int type);

    public static native void unfold3x3(
            @Cast("const void*") long map,
            int type,
            int ring,
            int height,
            int width,
            int channels,
            int stride,
            int y0,
            int x0,
            int rows,
            int columns,
            @Cast("void*") long out,
            long pitch);

    public static native void unfold2x2(
            @Cast("const void*") long map,
            int type,
            int height,
            int width,
            int channels,
            int y0,
            int x0,
            int rows,
            int columns,
            @Cast("void*") long out);

    public static native void copy_clamped(
            @Cast("const void*") long map,
            int type,
            int ring,
            int height,
            int width,
            int channels,
            int y0,
            int x0,
            int rows,
            int columns,
            @Cast("void*") long out);

    public static native void fuse_upsampled(
            @Cast("const float*") long products,
            @Cast("const float*") long detail,
            int y0,
            int x0,
            int rows,
            int columns,
            int height,
            int width,
            int channels,
            float slope,
            @Cast("void*") long out,
            int type,
            int ring);

    public static native int matting_head(
            @Cast("const float*") long hidden,
            @Cast("const float*") long weight,
            float bias,
            @Cast("const unsigned char*") long trimap,
            int y0,
            int x0,
            int rows,
            int columns,
            int width,
            @Cast("void*") long alpha,
            int format);

    public static native void input_planes(
            @Cast("const void*") long photo,
            int bits,
            long photo_stride,
            @Cast("const unsigned char*") long trimap,
            int height,
            int width,
            @Cast("const float*") long scale,
            @Cast("const float*") long shift,
            int y,
            int first,
            int columns,
            @Cast("void*") long out,
            int type);

    public static native void depthwise7x7_norm(
            @Cast("const void*") long map,
            int type,
            int height,
            int width,
            int channels,
            @Cast("const float*") long weight,
            @Cast("const float*") long bias,
            @Cast("const float*") long norm_weight,
            @Cast("const float*") long norm_bias,
            float eps,
            int y,
            int first,
            int columns,
            @Cast("void*") long out);

    public static native void sum_rows(
            @Cast("const void*") long x, int type, long rows, int channels, @Cast("float*") long sums);

    public static native void scale_rows(
            @Cast("const void*") long x,
            int type,
            long rows,
            int channels,
            @Cast("const float*") long scale,
            @Cast("void*") long out);

    public static native void add_activated(
            @Cast("const float*") long y, float slope, long elements, @Cast("void*") long x, int type);

    public static native void add_resized(
            @Cast("const float*") long coarse,
            int coarse_height,
            int coarse_width,
            int height,
            int width,
            int channels,
            int y,
            int x0,
            int columns,
            @Cast("float*") long out);

    public static native int alpha_convolution(
            @Cast("const void*") long map,
            int type,
            int ring,
            int height,
            int width,
            @Cast("const float*") long weight,
            float bias,
            @Cast("const unsigned char*") long trimap,
            int y,
            int x0,
            int columns,
            int alpha_width,
            @Cast("void*") long alpha,
            int format);

    public static native void window_attention(
            @Cast("const void*") long qkv,
            int type,
            int rows,
            int columns,
            int heads,
            @Cast("const float*") long bias,
            @Cast("const float*") long rel_h,
            @Cast("const float*") long rel_w,
            @Cast("void*") long out,
            @Cast("void*") long scratch);

    public static native long window_attention_scratch(int type);

    public static native void attention_pack(
            @Cast("const void*") long qkv,
            int type,
            long first,
            long rows,
            long tokens,
            int heads,
            @Cast("void*") long operands);

    public static native long attention_operands(long tokens, int heads, int type);

    public static native void attention(
            @Cast("const void*") long operands,
            int type,
            long tokens,
            int heads,
            int head,
            long first,
            int queries,
            int grid_height,
            int grid_width,
            @Cast("const float*") long rel_h,
            @Cast("const float*") long rel_w,
            @Cast("void*") long out,
            @Cast("void*") long scratch);

    public static native int attention_queries();

    public static native long attention_scratch(int grid_height, int grid_width, int type);

    public static native void estimate_foreground(
            @Cast("const void*") long photo,
            int bits,
            long photo_stride,
            @Cast("const void*") long alpha,
            int format,
            int height,
            int width,
            int shift,
            @Cast("const float*") long coarse,
            int steps,
            int y0,
            int x0,
            int rows,
            int columns,
            @Cast("void*") long out,
            @Cast("void*") long scratch);

    public static native long estimate_foreground_scratch(int steps, int rows, int columns);
}
