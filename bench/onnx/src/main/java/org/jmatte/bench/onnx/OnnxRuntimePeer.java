package org.jmatte.bench.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.jmatte.bench.cpu.NetworkPeer;
import org.jmatte.bench.cpu.Scene;
import org.jmatte.train.torch.Parameters;
import org.jmatte.weights.ModelSource;

/**
 * ONNX Runtime with the file of {@code bench/run --onnx}: one input, the normalised photo and the trimap [1, 4, H, W] in
 * fp32, as exports of Hugging Face's ViTMatte have it.
 */
public final class OnnxRuntimePeer implements NetworkPeer {
    private static final int PLANES = 4;

    @Override
    public String name() {
        return ONNX_RUNTIME;
    }

    @Override
    public Network open(String network, Scene scene, String dtype, int threads) {
        String file = System.getProperty(ONNX_FILE);
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            OrtSession session = environment.createSession(file, options);
            if (session.getNumInputs() != 1) {
                throw new IllegalArgumentException(
                        file + ": expected one input, [1, 4, H, W], got " + session.getInputNames());
            }
            String input = session.getInputNames().iterator().next();
            OnnxTensor pixels =
                    OnnxTensor.createTensor(environment, FloatBuffer.wrap(planes(network, scene)), new long[] {
                        1, PLANES, scene.photo().height(), scene.photo().width()
                    });
            return new Session(session, input, pixels);
        } catch (OrtException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private static float[] planes(String network, Scene scene) {
        try (PointerScope temporaries = new PointerScope();
                ModelSource source = ModelSource.open("seeded:" + network)) {
            return Parameters.toArray(scene.planes(source.mean(), source.std()));
        }
    }

    private record Session(OrtSession session, String input, OnnxTensor pixels) implements Network {
        @Override
        public void matte() {
            try (OrtSession.Result result = session.run(Map.of(input, pixels))) {
                result.get(0);
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            pixels.close();
            try {
                session.close();
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
            }
        }
    }
}
