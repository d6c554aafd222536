package org.jmatte.train.data;

/**
 * A plane figure by its signed distance in pixels: negative inside, positive outside. Near the outline it is close to
 * the true distance; farther off an underestimate will do.
 */
@FunctionalInterface
interface Shape {
    float distance(float x, float y);

    static Shape ellipse(float centerX, float centerY, float radiusX, float radiusY, float angle) {
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        float inverseX = 1 / radiusX;
        float inverseY = 1 / radiusY;
        float small = Math.min(radiusX, radiusY);
        return (x, y) -> {
            float dx = x - centerX;
            float dy = y - centerY;
            float u = (cos * dx + sin * dy) * inverseX;
            float v = (cos * dy - sin * dx) * inverseY;
            float scaled = u * u + v * v;
            if (scaled < 1e-6f) {
                return -small;
            }
            float length = (float) Math.sqrt(scaled);
            // first order: level over the length of its gradient, kept finite near the centre
            float gradient = (float) Math.sqrt(u * u * inverseX * inverseX + v * v * inverseY * inverseY);
            return Math.max(-small, length * (length - 1) / gradient);
        };
    }

    static Shape disc(float centerX, float centerY, float radius) {
        return (x, y) -> {
            float dx = x - centerX;
            float dy = y - centerY;
            return (float) Math.sqrt(dx * dx + dy * dy) - radius;
        };
    }

    /** A thick line whose radius goes from one end's to the other's. */
    static Shape capsule(float x0, float y0, float x1, float y1, float radius0, float radius1) {
        float dx = x1 - x0;
        float dy = y1 - y0;
        float inverse = 1 / Math.max(1e-6f, dx * dx + dy * dy);
        return (x, y) -> {
            float px = x - x0;
            float py = y - y0;
            float t = Palette.clamp((px * dx + py * dy) * inverse);
            float ex = px - t * dx;
            float ey = py - t * dy;
            return (float) Math.sqrt(ex * ex + ey * ey) - radius0 - t * (radius1 - radius0);
        };
    }

    /** A thick open line through points. */
    static Shape path(float[] xs, float[] ys, float radius0, float radius1) {
        Shape result = null;
        for (int i = 0; i + 1 < xs.length; i++) {
            float from = radius0 + (radius1 - radius0) * i / (xs.length - 1);
            float to = radius0 + (radius1 - radius0) * (i + 1) / (xs.length - 1);
            Shape piece = capsule(xs[i], ys[i], xs[i + 1], ys[i + 1], from, to);
            result = result == null ? piece : result.or(piece);
        }
        return result;
    }

    /** A closed polygon, even-odd. */
    static Shape polygon(float[] xs, float[] ys) {
        int count = xs.length;
        return (x, y) -> {
            float nearest = Float.MAX_VALUE;
            boolean inside = false;
            for (int i = 0, j = count - 1; i < count; j = i++) {
                float ex = xs[j] - xs[i];
                float ey = ys[j] - ys[i];
                float wx = x - xs[i];
                float wy = y - ys[i];
                float t = Palette.clamp((wx * ex + wy * ey) / Math.max(1e-6f, ex * ex + ey * ey));
                float dx = wx - t * ex;
                float dy = wy - t * ey;
                nearest = Math.min(nearest, dx * dx + dy * dy);
                if (ys[i] > y != ys[j] > y && x < xs[i] + ex * (y - ys[i]) / ey) {
                    inside = !inside;
                }
            }
            float distance = (float) Math.sqrt(nearest);
            return inside ? -distance : distance;
        };
    }

    /** A turned rectangle of these half sides with round corners. */
    static Shape box(float centerX, float centerY, float halfX, float halfY, float corner, float angle) {
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        return (x, y) -> {
            float dx = x - centerX;
            float dy = y - centerY;
            float u = Math.abs(cos * dx + sin * dy) - halfX + corner;
            float v = Math.abs(cos * dy - sin * dx) - halfY + corner;
            float outU = Math.max(u, 0);
            float outV = Math.max(v, 0);
            return (float) Math.sqrt(outU * outU + outV * outV) + Math.min(Math.max(u, v), 0) - corner;
        };
    }

    /** The half plane on the side that the normal at {@code angle} points away from. */
    static Shape half(float x0, float y0, float angle) {
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        return (x, y) -> (x - x0) * cos + (y - y0) * sin;
    }

    default Shape or(Shape other) {
        return (x, y) -> Math.min(distance(x, y), other.distance(x, y));
    }

    /** The union with the inner corner filled over about {@code blend} pixels. */
    default Shape or(Shape other, float blend) {
        return (x, y) -> {
            float a = distance(x, y);
            float b = other.distance(x, y);
            float h = Math.max(0, blend - Math.abs(a - b)) / blend;
            return Math.min(a, b) - h * h * blend * 0.25f;
        };
    }

    default Shape and(Shape other) {
        return (x, y) -> Math.max(distance(x, y), other.distance(x, y));
    }

    default Shape minus(Shape other) {
        return (x, y) -> Math.max(distance(x, y), -other.distance(x, y));
    }

    /** The band of this half width around the outline. */
    default Shape outline(float half) {
        return (x, y) -> Math.abs(distance(x, y)) - half;
    }

    default Shape grown(float by) {
        return (x, y) -> distance(x, y) - by;
    }

    /** The outline moved in and out by noise of this amplitude and cell size, in pixels. */
    default Shape rough(float amplitude, float cell, Rng rng) {
        float offsetX = rng.between(0, 256);
        float offsetY = rng.between(0, 256);
        float scale = 1 / cell;
        return (x, y) -> {
            float d = distance(x, y);
            // far from the outline the noise changes nothing worth its time
            return Math.abs(d) > 3 * amplitude + 8
                    ? d - Math.copySign(amplitude, d)
                    : d + amplitude * Noise.value(x * scale + offsetX, y * scale + offsetY);
        };
    }

    /** The outline streaked: moved by noise that is fine across the streaks and slow along them. */
    default Shape combed(float amplitude, float across, float fine, Rng rng) {
        float cos = (float) StrictMath.cos(across) / fine;
        float sin = (float) StrictMath.sin(across) / fine;
        float offset = rng.between(0, 256);
        return (x, y) -> {
            float d = distance(x, y);
            return Math.abs(d) > 3 * amplitude + 8
                    ? d
                    : d + amplitude * Noise.value(cos * x + sin * y + offset, 0.1f * (cos * y - sin * x));
        };
    }
}
