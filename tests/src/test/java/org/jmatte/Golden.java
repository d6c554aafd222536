package org.jmatte;

import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.weights.Checkpoint;

/** A file that the PyTorch reference wrote: input, alpha, the routers' decisions and, in some, every stage. */
final class Golden implements AutoCloseable {
    /** pam-HxW-seedS-gmacsN */
    static final List<String> PAM = List.of(
            "pam-100x200-seed2-gmacs52",
            "pam-160x96-seed3-gmacs76",
            "pam-64x64-seed4-gmacs70",
            "pam-96x128-seed1-gmacs64");

    /** name-HxW-seedS[-cap N][-stages][-huggingface] */
    static final List<String> ALL = List.of(
            "mematte_tiny-96x128-seed1-stages",
            "mematte_tiny-100x320-seed2",
            "mematte_tiny-544x608-seed3-cap200",
            "mematte_s-200x333-seed4",
            "mematte_s-512x512-seed5-cap100",
            "mematte_b-160x192-seed6",
            "vitmatte_tiny-96x160-seed7-stages",
            "vitmatte_s-200x333-seed8",
            "vitmatte_s-200x333-seed8-huggingface",
            "vitmatte_b-160x192-seed9");

    private final String name;
    private final Checkpoint file;

    Golden(String name) {
        this.name = name;
        try {
            file = Checkpoint.open(Path.of(Golden.class
                    .getResource("/goldens/" + name + ".safetensors")
                    .toURI()));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The seeded source of the same weights. */
    String model() {
        return "seeded:" + part(0) + ":" + part(2).substring("seed".length());
    }

    private String part(int i) {
        return name.split("-")[i];
    }

    int maxTokens() {
        return number("cap", MattingOptions.DEFAULT_MAX_TOKENS);
    }

    /** The compute budget; 0 without one. */
    int gmacs() {
        return number("gmacs", 0);
    }

    private int number(String label, int otherwise) {
        for (String part : name.split("-")) {
            if (part.matches(label + "\\d+")) {
                return Integer.parseInt(part.substring(label.length()));
            }
        }
        return otherwise;
    }

    boolean huggingface() {
        return name.endsWith("huggingface");
    }

    boolean has(String tensor) {
        return file.tensors().containsKey(tensor);
    }

    float[] values(String tensor) {
        float[] values = new float[(int) file.tensors().get(tensor).elements()];
        file.read(tensor, FloatBuffer.wrap(values));
        return values;
    }

    /** The tokens that every router kept; empty without routers. */
    List<BitSet> kept() {
        List<BitSet> kept = new ArrayList<>();
        for (int r = 0; has("router" + r + ".keep"); r++) {
            float[] flags = values("router" + r + ".keep");
            BitSet set = new BitSet();
            for (int t = 0; t < flags.length; t++) {
                set.set(t, flags[t] != 0);
            }
            kept.add(set);
        }
        return kept;
    }

    Photo photo() {
        float[] planes = values("image");
        long[] shape = file.tensors().get("image").shape();
        int area = (int) (shape[1] * shape[2]);
        ByteBuffer pixels = ByteBuffer.allocateDirect(3 * area);
        for (int i = 0; i < area; i++) {
            for (int c = 0; c < 3; c++) {
                pixels.put((byte) (int) planes[c * area + i]);
            }
        }
        return Photo.wrap(pixels.flip(), (int) shape[1], (int) shape[2], 8, 3 * shape[2]);
    }

    Trimap trimap() {
        float[] values = values("trimap");
        long[] shape = file.tensors().get("trimap").shape();
        ByteBuffer bytes = ByteBuffer.allocateDirect(values.length);
        for (float v : values) {
            bytes.put((byte) (int) v);
        }
        return Trimap.wrap(bytes.flip(), (int) shape[0], (int) shape[1], Trimap.Values.RAW);
    }

    @Override
    public void close() {
        file.close();
    }

    @Override
    public String toString() {
        return name;
    }
}
