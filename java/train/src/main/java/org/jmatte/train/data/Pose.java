package org.jmatte.train.data;

/**
 * Where a subject stands in the picture: its own coordinates, with unit 1 about its radius and v pointing down, turned,
 * perhaps mirrored, scaled and moved.
 */
record Pose(float centerX, float centerY, float size, float angle, float cos, float sin, int mirror) {

    static Pose of(float centerX, float centerY, float size, float angle, int mirror) {
        return new Pose(
                centerX, centerY, size, angle, (float) StrictMath.cos(angle), (float) StrictMath.sin(angle), mirror);
    }

    float x(float u, float v) {
        return centerX + size * (cos * mirror * u - sin * v);
    }

    float y(float u, float v) {
        return centerY + size * (sin * mirror * u + cos * v);
    }

    /** A direction's angle in the picture. */
    float turn(float own) {
        return angle + (mirror > 0 ? own : (float) Math.PI - own);
    }

    Shape ellipse(float u, float v, float radiusU, float radiusV, float turned) {
        return Shape.ellipse(x(u, v), y(u, v), size * radiusU, size * radiusV, angle + mirror * turned);
    }

    Shape ellipse(float u, float v, float radiusU, float radiusV) {
        return ellipse(u, v, radiusU, radiusV, 0);
    }

    Shape box(float u, float v, float halfU, float halfV, float corner, float turned) {
        return Shape.box(x(u, v), y(u, v), size * halfU, size * halfV, size * corner, angle + mirror * turned);
    }

    Shape capsule(float u0, float v0, float u1, float v1, float radius0, float radius1) {
        return Shape.capsule(x(u0, v0), y(u0, v0), x(u1, v1), y(u1, v1), size * radius0, size * radius1);
    }

    /** A polygon of points u, v, u, v, ... */
    Shape polygon(float... points) {
        float[] xs = new float[points.length / 2];
        float[] ys = new float[points.length / 2];
        for (int i = 0; i < xs.length; i++) {
            xs[i] = x(points[2 * i], points[2 * i + 1]);
            ys[i] = y(points[2 * i], points[2 * i + 1]);
        }
        return Shape.polygon(xs, ys);
    }
}
