package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LayerTest {
    private static final int SIDE = 40;
    private static final float[] RED = {0.9f, 0.1f, 0.2f};
    private static final float[] BLUE = {0.1f, 0.2f, 0.8f};
    private static final Part.Light NONE = new Part.Light(0, 0, 0, 0, 0, 1);

    @Test
    void paintingFollowsTheOverOperator() {
        Layer layer = new Layer(SIDE);
        layer.over(constant(RED, 0.5f));
        layer.over(constant(BLUE, 0.25f));
        assertEquals(1 - 0.5f * 0.75f, layer.alpha[7], 1e-6);
        assertEquals(0.25f * BLUE[0] + 0.75f * 0.5f * RED[0], layer.red[7], 1e-6);
        layer.atop(constant(RED, 1));
        assertEquals(0.625f, layer.alpha[7], 1e-6);
        assertEquals(0.625f * RED[2], layer.blue[7], 1e-6);
    }

    @Test
    void aLayerInFrontIsTheSameAsPaintingIt() {
        Layer painted = new Layer(SIDE);
        painted.over(constant(RED, 0.6f));
        painted.over(constant(BLUE, 0.3f));
        Layer joined = new Layer(SIDE);
        joined.over(constant(RED, 0.6f));
        Layer front = new Layer(SIDE);
        front.over(constant(BLUE, 0.3f));
        joined.over(front);
        assertEquals(painted.alpha[3], joined.alpha[3], 1e-6);
        assertEquals(painted.green[3], joined.green[3], 1e-6);
    }

    @Test
    void coverageOfADiscIsItsArea() {
        Layer layer = new Layer(SIDE);
        layer.over(Part.hard(Shape.disc(19.3f, 20.8f, 11.5f), Texture.flat(RED), NONE));
        assertEquals(Math.PI * 11.5 * 11.5, layer.coverage() * SIDE * SIDE, 4);
        layer.erase(Shape.disc(19.3f, 20.8f, 5), 1);
        assertEquals(Math.PI * (11.5 * 11.5 - 25), layer.coverage() * SIDE * SIDE, 5);
    }

    @Test
    void coloursAreThoseOfTheSurfaceAndGoOnOutsideIt() {
        Layer layer = new Layer(SIDE);
        layer.over(Part.soft(Shape.disc(12, 14, 6), Texture.flat(RED), NONE, 6));
        float[] colors = layer.colors();
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < SIDE * SIDE; i++) {
                assertEquals(RED[c], colors[c * SIDE * SIDE + i], 1e-3);
            }
        }
    }

    @Test
    void aStrandCoversItsLengthTimesItsWidth() {
        for (float width : new float[] {0.4f, 1, 3}) {
            Layer layer = new Layer(SIDE);
            new Strands(layer)
                    .from(8.2f, 8.9f)
                    .to(20, 20)
                    .to(30.6f, 24.1f)
                    .draw(new Strands.Look(width, width, RED, BLUE, 1, false));
            double length = Math.hypot(11.8, 11.1) + Math.hypot(10.6, 4.1);
            double area = layer.coverage() * SIDE * SIDE;
            assertEquals(length * width, area, 0.12 * length * width + width * width + 0.3, "width " + width);
        }
    }

    @Test
    void strandsOutsideTheLayerPaintNothingAndRootsAndTipsHaveTheirColours() {
        Layer layer = new Layer(SIDE);
        Strands strands = new Strands(layer);
        strands.from(-50, -20).to(-3, 60).draw(new Strands.Look(2, 1, RED, BLUE, 1, false));
        assertEquals(0, layer.coverage());
        strands.from(-4, 20.5f).to(50, 20.5f).draw(new Strands.Look(3, 3, RED, BLUE, 1, false));
        int row = 20 * SIDE;
        assertTrue(layer.red[row] > 0.75f && layer.red[row + SIDE - 1] < 0.35f);
    }

    private static Surface constant(float[] color, float cover) {
        return (x, y, rgb) -> {
            System.arraycopy(color, 0, rgb, 0, 3);
            return cover;
        };
    }
}
