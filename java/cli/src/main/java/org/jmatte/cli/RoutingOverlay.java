package org.jmatte.cli;

import java.awt.image.BufferedImage;
import java.util.BitSet;
import org.jmatte.Routing;
import org.jmatte.image.Photo;

/** Pictures of where the routers spent attention: the photo, greyed out where tokens took the lightweight path. */
final class RoutingOverlay {
    private static final int TOKEN_SIDE = 16;

    private RoutingOverlay() {}

    /**
     * Draws one router's decisions.
     *
     * @param photo its size is the picture's; tokens count from its upper left corner and may reach beyond it
     * @param router index in {@link Routing#kept()}
     */
    static BufferedImage draw(Photo photo, Routing routing, int router) {
        BufferedImage image = photo.toImage();
        BitSet kept = routing.kept().get(router);
        for (int y = 0; y < image.getHeight(); y++) {
            int row = y / TOKEN_SIDE * routing.gridWidth();
            for (int x = 0; x < image.getWidth(); x++) {
                if (!kept.get(row + x / TOKEN_SIDE)) {
                    image.setRGB(x, y, grey(image.getRGB(x, y)));
                }
            }
        }
        return image;
    }

    /** Half the pixel's brightness (BT.601) over a dark grey, so that the scene stays recognisable. */
    private static int grey(int rgb) {
        int brightness = (299 * (rgb >> 16 & 255) + 587 * (rgb >> 8 & 255) + 114 * (rgb & 255)) / 1000;
        int grey = brightness / 2 + 48;
        return grey << 16 | grey << 8 | grey;
    }
}
