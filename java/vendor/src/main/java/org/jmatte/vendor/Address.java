package org.jmatte.vendor;

import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;

/** A number as the pointer that JavaCPP wants. */
final class Address extends Pointer {
    private Address(long address) {
        this.address = address;
    }

    /** Device memory. */
    static Pointer of(long address) {
        return new Address(address);
    }

    /** A stream's handle; 0 is the default stream. */
    static CUstream_st stream(long handle) {
        return new CUstream_st(new Address(handle));
    }
}
