package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    private static final String TWO = "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[2,8]},"
            + "\"a\":{\"data_offsets\":[0,2],\"dtype\":\"I8\",\"shape\":[2]},"
            + "\"none\":{\"dtype\":\"F64\",\"shape\":[0,7],\"data_offsets\":[8,8]}}  ";

    @Test
    void tensorsReadInTheHeadersOrder() {
        try (Checkpoint checkpoint = Fixtures.open(Fixtures.safetensors(TWO, 8))) {
            assertEquals(
                    List.of("b", "a", "none"), List.copyOf(checkpoint.tensors().keySet()));
            assertArrayEquals(new float[] {2, 3, 4, 5, 6, 7}, Fixtures.read(checkpoint, "b"));
            assertArrayEquals(new float[] {0, 1}, Fixtures.read(checkpoint, "a"));
            assertEquals(0, checkpoint.tensors().get("none").elements());
            assertEquals("memory", checkpoint.description());
        }
    }

    @Test
    void everyTruncationIsRefused() {
        byte[] whole = Fixtures.safetensors(TWO, 8);
        for (int length = 0; length < whole.length; length++) {
            refused(Arrays.copyOf(whole, length));
        }
        refused(Arrays.copyOf(whole, whole.length + 1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,9]}} | tensor a of shape [2] and type F32",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | the range [0, 4]",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | the range [8, 0]",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}} | the range [-8, 0]",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}} | 8 bytes of data",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | shape [-2]",
                "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,0]}} | lie within",
                "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | JSON",
                "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | whole numbers for a",
                "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | array of numbers for a",
                "{'a':{'dtype':'F8_E4M3','shape':[8],'data_offsets':[0,8]}} | F8_E4M3",
                "{'a':{'dtype':4,'shape':[2],'data_offsets':[0,8]}} | dtype '4'",
                "{'a':{'dtype':'F32','data_offsets':[0,8]}} | incomplete",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}} | incomplete",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'more':1}} | 'more'",
                "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 'dtype'",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},"
                        + "'a':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | two named a",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},"
                        + "'b':{'dtype':'U8','shape':[5],'data_offsets':[3,8]}} | overlap",
                "{'a':{'dtype':'U8','shape':[3],'data_offsets':[0,3]},"
                        + "'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | hole",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | a file of",
                "{'a':[]} | an object for a",
                "{} {} | nothing behind",
                "{'a':{'b':[[[[[[[[[[]]]]]]]]]]}} | expected"
            })
    void lyingHeadersAreRefused(String header, String reason) {
        String message = refused(Fixtures.safetensors(header.replace('\'', '"'), 8));
        assertTrue(message.contains(reason), message);
        assertTrue(message.startsWith("memory: expected ") && message.contains(", found "), message);
    }

    @Test
    void headerLengthsAreBounded() {
        for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_001, 30}) {
            byte[] file = Fixtures.safetensors(TWO.substring(0, 20), 0);
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
            assertTrue(refused(file).contains("header length"));
        }
    }

    private static String refused(byte[] file) {
        return assertThrows(CheckpointException.class, () -> Fixtures.open(file))
                .getMessage();
    }
}
