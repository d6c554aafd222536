package org.jmatte.network;

import java.util.LinkedHashMap;
import java.util.Map;

/** Collects the shapes of a network's parameters, layer by layer. */
class ParameterShapes {
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    final Map<String, long[]> shapes() {
        return shapes;
    }

    final void norm(String name, int c) {
        put(name + ".weight", c);
        put(name + ".bias", c);
    }

    final void linear(String name, int in, int out) {
        put(name + ".weight", out, in);
        put(name + ".bias", out);
    }

    final void conv(String name, int in, int out, int side) {
        put(name + ".weight", out, in, side, side);
        put(name + ".bias", out);
    }

    final void put(String name, long... shape) {
        shapes.put(name, shape);
    }
}
