package org.jmatte.gpu;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jmatte.GemmLibrary;
import org.jmatte.InvalidInputException;
import org.jmatte.MattingOptions;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.CudaDevice;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.OutOfDeviceMemoryException;
import org.jmatte.kernels.VendorLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device with what all models on it share: their weights, one copy of each, and the {@link Lanes} that runs take turns
 * on. A process opens a card once; it is closed with the last of its users.
 */
public final class SharedDevice implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SharedDevice.class);
    private static final int EMULATED = -2;
    private static final int EMULATED_ARCHITECTURE = 80;

    /** By a card's number, {@link MattingOptions#ANY_DEVICE}, or {@link #EMULATED}. */
    private static final Map<Integer, SharedDevice> OPEN = new HashMap<>();

    private final Device device;
    private final Lanes lanes;
    private final Map<Object, Resident> residents = new HashMap<>();
    private int users;
    /** What the models here run their products on; null before the first of them. */
    private GemmLibrary gemm;

    private VendorLibrary library;

    private SharedDevice(Device device) {
        this.device = device;
        lanes = new Lanes(device);
    }

    /** A model whose weights are on the device, and how many use it. */
    private static final class Resident {
        final GpuModel model;
        final DeviceBuffer weights;
        int users;

        Resident(GpuModel model, DeviceBuffer weights) {
            this.model = model;
            this.weights = weights;
        }
    }

    /**
     * A card, opened if nobody uses it yet.
     *
     * @param number the driver's, or {@link MattingOptions#ANY_DEVICE} for the first that can run the kernels
     * @throws DeviceException if it is not there or cannot run the kernels
     */
    public static SharedDevice card(int number) {
        return joined(number, () -> {
            CudaDevice card = number == MattingOptions.ANY_DEVICE ? Devices.open() : Devices.open(number);
            SharedDevice known = OPEN.get(card.number());
            if (known != null) {
                card.close();
                return known;
            }
            SharedDevice opened = new SharedDevice(card);
            OPEN.put(card.number(), opened);
            return opened;
        });
    }

    /** The emulated card of this process. */
    public static SharedDevice emulated() {
        return joined(EMULATED, () -> new SharedDevice(Devices.emulated(EmulatorOptions.sm(EMULATED_ARCHITECTURE))));
    }

    private static SharedDevice joined(int number, Supplier<SharedDevice> open) {
        synchronized (OPEN) {
            SharedDevice shared = OPEN.get(number);
            if (shared == null) {
                shared = open.get();
                OPEN.put(number, shared);
            }
            return shared.joined();
        }
    }

    /** A device that the caller opened and leaves to its users. */
    public static SharedDevice of(Device device) {
        return new SharedDevice(device).joined();
    }

    /** The same for one user more. */
    SharedDevice joined() {
        synchronized (OPEN) {
            users++;
        }
        return this;
    }

    /** One user less; the last closes the device. */
    @Override
    public void close() {
        synchronized (OPEN) {
            users--;
            if (users == 0) {
                OPEN.values().removeIf(shared -> shared == this);
                try {
                    if (library != null) {
                        library.close(); // a broken card refuses
                    }
                } finally {
                    device.close();
                }
            }
        }
    }

    /**
     * Chooses whose products run here, for all models: they share the device.
     *
     * @throws InvalidInputException if the library is asked for and not there, or other models here chose otherwise
     */
    void use(GemmLibrary choice) {
        synchronized (residents) {
            if (gemm == null) {
                library = opened(choice);
                device.useLibrary(library);
                gemm = choice;
            }
            if (gemm != choice) {
                throw new InvalidInputException("gemm: expected " + gemm + ", as other models on " + this
                        + " have it, got " + choice + "; close them first, or choose the same");
            }
        }
    }

    private VendorLibrary opened(GemmLibrary choice) {
        if (choice == GemmLibrary.OWN) {
            return null;
        }
        try {
            VendorLibrary opened = VendorLibrary.open(device);
            LOG.info("Products without epilogues run on {}", opened.name());
            return opened;
        } catch (DeviceException e) {
            if (choice == GemmLibrary.CUBLAS) {
                throw new InvalidInputException("gemm: " + e.getMessage(), e);
            }
            LOG.info("Products run on our own kernels: {}", e.getMessage());
            return null;
        }
    }

    Device device() {
        return device;
    }

    @Override
    public String toString() {
        return device.name();
    }

    Lanes lanes() {
        return lanes;
    }

    /**
     * A model on this device, laid out if nobody uses it yet; to be given back.
     *
     * @param key equal for models with the same weights in the same type
     * @param bytes of the weights
     * @param layOut puts them into an arena
     */
    GpuModel take(Object key, long bytes, Function<Arena, GpuModel> layOut) {
        synchronized (residents) {
            Resident resident = residents.get(key);
            if (resident == null) {
                resident = laidOut(bytes, layOut);
                residents.put(key, resident);
            }
            resident.users++;
            return resident.model;
        }
    }

    private Resident laidOut(long bytes, Function<Arena, GpuModel> layOut) {
        DeviceBuffer weights = allocate(bytes);
        try {
            Resident resident = new Resident(layOut.apply(Arena.of(weights)), weights);
            device.defaultStream().synchronize();
            return resident;
        } catch (Throwable t) {
            weights.close();
            throw t;
        }
    }

    private DeviceBuffer allocate(long bytes) {
        try {
            return device.allocate(bytes);
        } catch (OutOfDeviceMemoryException e) {
            if (lanes.freeIdle()) {
                return device.allocate(bytes);
            }
            throw e;
        }
    }

    /** Gives a model back; the last user's takes the weights off the device, and what runs kept there for later ones. */
    void giveBack(Object key) {
        synchronized (residents) {
            Resident resident = residents.get(key);
            resident.users--;
            if (resident.users == 0) {
                residents.remove(key);
                resident.weights.close();
                lanes.freeIdle();
            }
        }
    }
}
