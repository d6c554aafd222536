package org.jmatte.gpu;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jmatte.Cancellation;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.OutOfDeviceMemoryException;

/**
 * Where runs take turns on a device, first come, first served: {@link #MOST} go on at a time, so that the images of one
 * travel while another computes. What a lane has, memory included, stays for later runs.
 */
final class Lanes {
    /** A second run fills the gaps of the first; more would take memory and gain little. */
    static final int MOST = 2;

    /** How long a cancellation may go unnoticed by who waits. */
    private static final long NOTICE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Device device;
    /** Guards what follows. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private final Deque<Object> waiting = new ArrayDeque<>();
    private final Deque<Lane> idle = new ArrayDeque<>();
    /** With who uses them. */
    private final Map<Lane, Object> busy = new HashMap<>();

    Lanes(Device device) {
        this.device = device;
    }

    /**
     * Waits for a lane.
     *
     * @param user who wants it
     * @param bytes of memory that the lane is to have
     * @param limit most bytes for all that this user's lanes have
     * @param cancellation ends the waiting
     * @throws OutOfDeviceMemoryException if the device has no room although nobody else runs
     * @throws CancellationException if it was cancelled
     */
    Lane enter(Object user, long bytes, long limit, Cancellation cancellation) {
        Object ticket = new Object();
        boolean interrupted = false;
        lock.lock();
        try {
            waiting.add(ticket);
            while (true) {
                cancellation.check();
                Lane lane = waiting.peek() == ticket ? entered(user, bytes, limit) : null;
                if (lane != null) {
                    return lane;
                }
                try {
                    changed.awaitNanos(NOTICE_NANOS);
                } catch (InterruptedException e) {
                    interrupted = true; // a run ends by its cancellation alone
                }
            }
        } finally {
            waiting.remove(ticket);
            changed.signalAll();
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A lane, or null if one that is busy has to be waited for. */
    private Lane entered(Object user, long bytes, long limit) {
        long room = limit;
        for (Map.Entry<Lane, Object> entry : busy.entrySet()) {
            room -= entry.getValue() == user ? entry.getKey().bytes() : 0;
        }
        if (busy.size() == MOST || bytes > room && room < limit) {
            return null;
        }
        Lane lane = idleOrNew(bytes);
        if (Math.max(lane.bytes(), bytes) + bytes(idle) > room) {
            freeIdle();
        }
        if (lane.bytes() > room) {
            lane.free();
        }
        try {
            reserve(lane, bytes);
        } catch (OutOfDeviceMemoryException e) {
            idle.push(lane);
            if (busy.isEmpty()) {
                throw e;
            }
            return null;
        }
        busy.put(lane, user);
        return lane;
    }

    /** The smallest idle lane that is large enough, else the largest. */
    private Lane idleOrNew(long bytes) {
        Comparator<Lane> bySize = Comparator.comparingLong(Lane::bytes);
        Lane lane = idle.stream()
                .filter(one -> one.bytes() >= bytes)
                .min(bySize)
                .or(() -> idle.stream().max(bySize))
                .orElse(null);
        if (lane == null) {
            return new Lane(device);
        }
        idle.remove(lane);
        return lane;
    }

    private void reserve(Lane lane, long bytes) {
        try {
            lane.reserve(bytes);
        } catch (OutOfDeviceMemoryException e) {
            if (!freeIdle()) {
                throw e;
            }
            lane.reserve(bytes);
        }
    }

    /** Ends a run. */
    void leave(Lane lane) {
        lock.lock();
        try {
            busy.remove(lane);
            idle.push(lane);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Gives the memory of lanes that are not in use back to the device; whether there was any. */
    boolean freeIdle() {
        lock.lock();
        try {
            long bytes = bytes(idle);
            idle.forEach(Lane::free);
            return bytes > 0;
        } finally {
            lock.unlock();
        }
    }

    private static long bytes(Iterable<Lane> lanes) {
        long sum = 0;
        for (Lane lane : lanes) {
            sum += lane.bytes();
        }
        return sum;
    }
}
