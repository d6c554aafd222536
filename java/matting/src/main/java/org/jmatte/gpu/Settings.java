package org.jmatte.gpu;

/**
 * How a run goes about its work.
 *
 * @param watched the set of places of {@link Overflow} that are looked at after every band, so that it can be repeated
 */
record Settings(Types types, Tiling tiling, long watched) {
    Settings withTiling(Tiling value) {
        return new Settings(types, value, watched);
    }

    @Override
    public String toString() {
        return types.stream() + " stream, " + tiling;
    }
}
