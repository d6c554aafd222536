package org.jmatte.bench;

/** Height and width in pixels. */
record Photo(int height, int width) {
    @Override
    public String toString() {
        return height + "x" + width;
    }
}
