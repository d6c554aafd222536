package org.jmatte.kernels;

import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** Something of a device's that is given back once: by whoever has it, or with the device. */
final class Lease {
    private final AtomicBoolean live = new AtomicBoolean(true);
    private final Runnable release;
    private final Set<Lease> among;

    Lease(Runnable release, Set<Lease> among) {
        this.release = release;
        this.among = among;
        among.add(this);
    }

    boolean isLive() {
        return live.get();
    }

    void end() {
        if (live.compareAndSet(true, false)) {
            among.remove(this);
            release.run();
        }
    }
}
