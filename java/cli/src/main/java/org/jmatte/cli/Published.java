package org.jmatte.cli;

import java.util.List;

/**
 * What authors say of their networks.
 *
 * @param network as they call it
 * @param source where they say so
 */
record Published(String network, Scores scores, String source) {
    private static final String MEMATTE = "github.com/linyiheng123/MEMatte, README";
    private static final String VITMATTE = "github.com/hustvl/ViTMatte, README";
    private static final String AEMATTER = "github.com/QLYoo/AEMatter, README";

    /** The figures of a data set; none where none are known. */
    static List<Published> of(Layout dataSet) {
        return switch (dataSet) {
            case COMPOSITION_1K ->
                List.of(
                        of("MEMatte-ViTS", 21.90, 3.37, 7.43, 16.77, MEMATTE),
                        of("MEMatte-ViTB", 21.06, 3.11, 6.70, 15.71, MEMATTE),
                        of("ViTMatte-S", 21.46, 3.3, 7.24, 16.21, VITMATTE),
                        of("ViTMatte-B", 20.33, 3.0, 6.74, 14.78, VITMATTE),
                        of("AEMatter", 17.53, 2.26, 4.76, 12.46, AEMATTER));
            case AIM_500 ->
                List.of(
                        of("MEMatte-ViTS, mixed training data", 13.90, 11.17, 10.94, 12.78, MEMATTE),
                        of("AEMatter", 14.76, 11.69, 11.20, 14.20, AEMATTER));
            case DISTINCTIONS_646 ->
                List.of(
                        of("ViTMatte-S", 21.22, 2.1, 8.78, 17.55, VITMATTE),
                        of("ViTMatte-B", 17.05, 1.5, 7.03, 12.95, VITMATTE));
            case TRANSPARENT_460 -> List.of(of("AEMatter", 122.27, 6.92, 27.42, 112.02, AEMATTER));
            case SIMD, UHR_395, BY_NAME -> List.of();
        };
    }

    private static Published of(String network, double sad, double mseX1000, double grad, double conn, String source) {
        return new Published(network, new Scores(sad, mseX1000, grad, conn), source);
    }
}
