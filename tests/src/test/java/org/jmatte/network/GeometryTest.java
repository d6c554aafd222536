package org.jmatte.network;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GeometryTest {
    @ParameterizedTest
    @CsvSource({
        // height, width, padded height, padded width
        "1080, 1920, 1088, 1952", // the width fits, and grows all the same
        "1920, 1080, 1952, 1088",
        "1024, 1024, 1024, 1024",
        "32, 32, 32, 32",
        "32, 33, 64, 64",
        "1, 1, 32, 32",
        "31, 33, 32, 64",
        "5000, 16, 5024, 32"
    })
    void theAuthorsPadBothSidesOrNone(int height, int width, int paddedHeight, int paddedWidth) {
        Geometry geometry = Geometry.of(height, width, false, false);
        assertEquals(new Geometry(height, width, paddedHeight, paddedWidth, paddedHeight, paddedWidth), geometry);
        assertEquals(paddedHeight / 16, geometry.gridHeight());
        assertEquals(paddedWidth / 16, geometry.gridWidth());
        assertEquals(paddedHeight / 16 * (paddedWidth / 16), geometry.tokens());
    }

    @ParameterizedTest
    @CsvSource({
        "1080, 1920, 1088, 1920",
        "1920, 1080, 1920, 1088",
        "1024, 1024, 1024, 1024",
        "32, 33, 32, 64",
        "1, 1, 32, 32",
        "200, 333, 224, 352"
    })
    void huggingFacePadsEachSideToItsNextMultiple(int height, int width, int paddedHeight, int paddedWidth) {
        assertEquals(
                new Geometry(height, width, paddedHeight, paddedWidth, paddedHeight, paddedWidth),
                Geometry.of(height, width, true, false));
    }

    @ParameterizedTest
    @CsvSource({
        // height, width, canvas height, canvas width: up to a multiple of 512, but no farther than the decoder reaches
        "96, 128, 144, 176",
        "512, 1024, 512, 1024",
        "480, 448, 512, 496",
        "416, 992, 464, 1024",
        "1080, 1920, 1136, 2000"
    })
    void theTiledDecoderSeesZerosBeyondThePaddedImage(int height, int width, int canvasHeight, int canvasWidth) {
        Geometry geometry = Geometry.of(height, width, false, true);
        assertEquals(canvasHeight, geometry.canvasHeight());
        assertEquals(canvasWidth, geometry.canvasWidth());
    }
}
