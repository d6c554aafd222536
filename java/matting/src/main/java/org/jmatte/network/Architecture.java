package org.jmatte.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jmatte.InvalidInputException;

/** Which network a checkpoint holds. */
public sealed interface Architecture permits VitArchitecture, PamArchitecture {
    /**
     * The network of a known name: {@code mematte_s}, {@code mematte_b}, {@code mematte_tiny}, the same of
     * {@code vitmatte}, and {@code pam}.
     *
     * @throws InvalidInputException for another name; the message lists the known ones
     */
    static Architecture named(String name) {
        if (name.equals(PamArchitecture.NAME)) {
            return PamArchitecture.PAM;
        }
        Architecture known = VitArchitecture.KNOWN.get(name);
        if (known == null) {
            List<String> names = new ArrayList<>(VitArchitecture.KNOWN.keySet());
            names.add(PamArchitecture.NAME);
            throw new InvalidInputException("Network name: expected one of " + String.join(", ", names) + ", found '"
                    + name + "'. Choose one of them.");
        }
        return known;
    }

    /** Such as {@code mematte_s} or {@code pam}. */
    String name();

    /** Whether routers choose, per token, between global attention and a light path. */
    boolean routed();

    /** Every parameter's shape by its name in the authors' checkpoints, in their order. */
    Map<String, long[]> parameterShapes();
}
