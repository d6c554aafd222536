package org.jmatte.bench.cpu;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitNetwork;
import org.jmatte.train.mematte.TorchOperators;
import org.jmatte.train.pam.Decisions;
import org.jmatte.train.pam.Pam;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.weights.ModelSource;

/** libtorch. */
public final class TorchPeer implements NetworkPeer {
    @Override
    public String name() {
        return Operators.LIBTORCH;
    }

    @Override
    public Network open(String network, Scene scene, String dtype, int threads) {
        torch.set_num_threads(threads);
        try (ModelSource source = ModelSource.open("seeded:" + network)) {
            return source.architecture() instanceof VitArchitecture architecture
                    ? vit(architecture, Operators.torch(source, scene, dtype, threads))
                    : pam(source, scene, dtype);
        }
    }

    private static Network vit(VitArchitecture architecture, TorchOperators operators) {
        return new Network() {
            @Override
            public void matte() {
                new VitNetwork(architecture).run(operators);
            }

            @Override
            public void close() {
                operators.close();
            }
        };
    }

    private static Network pam(ModelSource source, Scene scene, String dtype) {
        Pam pam = new Pam(Devices.cpu());
        ParametersFile.read(source.checkpoint(), pam.parameters());
        Tensor image = scene.image();
        Tensor trimap = scene.known();
        return new Network() {
            @Override
            public void matte() {
                try (PointerScope temporaries = new PointerScope();
                        NoGradGuard guard = new NoGradGuard();
                        MixedPrecision precision = new MixedPrecision(dtype.equals("bf16"))) {
                    pam.forward(image, trimap, PamArchitecture.largestGmacs(), Decisions.follow(PamPath.KEEP_ALL));
                }
            }

            @Override
            public void close() {
                pam.close();
                image.close();
                trimap.close();
            }
        };
    }
}
