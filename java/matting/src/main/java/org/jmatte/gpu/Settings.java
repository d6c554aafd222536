package org.jmatte.gpu;

/**
 * How a run goes about its work.
 *
 * @param wide places of {@link Overflow} whose layers run in fp32, because fp16 did not hold their numbers
 */
record Settings(Types types, Tiling tiling, int wide) {
    Settings withTiling(Tiling value) {
        return new Settings(types, value, wide);
    }

    @Override
    public String toString() {
        return types.stream() + " stream, " + tiling;
    }
}
