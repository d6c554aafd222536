package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ParameterBlockTest {
    @Test
    void fieldsLieWhereCppPutsThem() {
        // struct { const void* a; int b; long long c; int d; float e; int f; }
        ParameterBlock block = ParameterBlock.create()
                .pointer(0x1122334455667788L)
                .integer32(-7)
                .integer64(1L << 40)
                .integer32(9)
                .float32(1.5f)
                .integer32(11);
        assertEquals(40, block.size());
        ByteBuffer bytes = block.bytes();
        assertEquals(ByteOrder.nativeOrder(), bytes.order());
        assertEquals(40, bytes.remaining());
        assertEquals(0x1122334455667788L, bytes.getLong(0));
        assertEquals(-7, bytes.getInt(8));
        assertEquals(0, bytes.getInt(12), "padding");
        assertEquals(1L << 40, bytes.getLong(16));
        assertEquals(9, bytes.getInt(24));
        assertEquals(1.5f, bytes.getFloat(28));
        assertEquals(11, bytes.getInt(32));
        assertEquals(0, bytes.getInt(36), "padding at the end");
    }

    @Test
    void aStructOfSmallFieldsHasTheirAlignment() {
        assertEquals(
                12, ParameterBlock.create().integer32(1).float32(2).integer32(3).size());
        assertEquals(0, ParameterBlock.create().size());
    }

    @Test
    void bytesMayBeTakenBetweenFields() {
        ParameterBlock block = ParameterBlock.create().integer32(1);
        assertEquals(1, block.bytes().getInt());
        block.integer64(2);
        assertEquals(1, block.bytes().getInt(0));
        assertEquals(2, block.bytes().getLong(8));
    }

    @Test
    void growsToTheLimitAndNoFurther() {
        ParameterBlock block = ParameterBlock.create();
        for (int i = 0; i < 511; i++) {
            block.integer64(i);
        }
        block.integer32(511);
        assertEquals(ParameterBlock.MAX_BYTES, block.size());
        assertEquals(ParameterBlock.MAX_BYTES, block.bytes().remaining());
        for (int i = 0; i < 511; i++) {
            assertEquals(i, block.bytes().getLong(8 * i));
        }
        block.integer32(512);
        String message = assertThrows(InvalidArgumentException.class, () -> block.integer32(513))
                .getMessage();
        assertEquals("parameters: expected at most 4096 bytes, got more with field 514", message);
    }

    @Test
    void aTensorsAddressOrNone() {
        Tensor tensor = Tensor.wrap(4096, ElementType.FP16, 3);
        ByteBuffer bytes =
                ParameterBlock.create().pointer(tensor).pointer((Tensor) null).bytes();
        assertEquals(4096, bytes.getLong());
        assertEquals(0, bytes.getLong());
    }

    @Test
    void sizesThatAreNoIntegerAreRefused() {
        assertThrows(ArithmeticException.class, () -> ParameterBlock.create().integer32(1L << 31));
    }

    @Test
    void saysItsValues() {
        String text = ParameterBlock.create()
                .pointer(0x7f0000001000L)
                .integer64(-1)
                .integer32(384)
                .float32(1e-6f)
                .toString();
        assertEquals("0x7f0000001000, -1, 384, 1.0E-6", text);
    }

    @Test
    void aLaunchSaysAllOfItself() {
        Launch launch = new Launch(
                "layer_norm",
                "layer_norm_fp16",
                124,
                2,
                1,
                ParameterBlock.create().integer32(989),
                0,
                0);
        assertEquals("layer_norm: layer_norm_fp16, grid 124 x 2 x 1, parameters (989)", launch.toString());
    }

    @Test
    void gridsThatNoCardTakesAreRefused() {
        ParameterBlock none = ParameterBlock.create();
        String message = assertThrows(
                        InvalidArgumentException.class,
                        () -> new Launch("layer_norm", "layer_norm_fp16", 1, 65536, 1, none, 0, 0))
                .getMessage();
        assertEquals("layer_norm: grid: expected at most 2^31 - 1 x 65535 x 65535 blocks, got 1 x 65536 x 1", message);
        assertThrows(InvalidArgumentException.class, () -> new Launch("a", "a_fp16", -1, 1, 1, none, 0, 0));
        assertThrows(InvalidArgumentException.class, () -> new Launch("a", "a_fp16", 1, 1, 1, null, 0, 0));
        assertTrue(new Launch("a", "a_fp16", 0, 1, 1, none, 0, 0).isEmpty());
    }
}
