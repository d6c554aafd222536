package org.jmatte.kernels;

/** Plain forms of what several operators have. */
final class Reference {
    private Reference() {}

    /** A sum of products, and the sum of their magnitudes. */
    record Sum(double value, double size) {
        Sum plus(double v) {
            return new Sum(value + v, size + Math.abs(v));
        }

        Sum plus(Sum other) {
            return new Sum(value + other.value, size + other.size);
        }
    }

    /** One value of a convolution with zero padding {@code (kernel - 1) / 2}; weight [outputs, kernel^2, channels]. */
    static Sum convolve(TestMap in, float[] weight, int kernel, int stride, int y, int x, int n) {
        double sum = 0;
        double size = 0;
        int padding = (kernel - 1) / 2;
        for (int ky = 0; ky < kernel; ky++) {
            for (int kx = 0; kx < kernel; kx++) {
                for (int c = 0; c < in.channels; c++) {
                    double product = (double) weight[((n * kernel + ky) * kernel + kx) * in.channels + c]
                            * in.get(y * stride + ky - padding, x * stride + kx - padding, c);
                    sum += product;
                    size += Math.abs(product);
                }
            }
        }
        return new Sum(sum, size);
    }

    static double activate(double v, MapOptions o) {
        return switch (o.activation()) {
            case IDENTITY -> v;
            case GELU -> gelu(v);
            case LEAKY_RELU -> v < 0 ? v * o.slope() : v;
        };
    }

    /** v Phi(v), by the series of erf or the continued fraction of erfc. */
    static double gelu(double v) {
        double x = Math.abs(v) / Math.sqrt(2);
        double erfc;
        if (x < 2.5) {
            double term = x;
            double sum = x;
            for (int n = 1; n < 100; n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            erfc = 1 - 2 / Math.sqrt(Math.PI) * sum;
        } else {
            double fraction = 0;
            for (int n = 60; n > 0; n--) {
                fraction = n / 2.0 / (x + fraction);
            }
            erfc = Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
        }
        return Math.max(v, 0) - Math.abs(v) / 2 * erfc;
    }
}
