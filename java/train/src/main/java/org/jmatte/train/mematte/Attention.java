package org.jmatte.train.mematte;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.VitArchitecture;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.Scoped;

/** Multi-head attention in its four forms. Inputs are normalised already; the layer NAME owns NAME.qkv and NAME.proj. */
final class Attention {
    private static final int WINDOW = VitArchitecture.WINDOW;
    private static final int HEAD_DIM = VitArchitecture.HEAD_DIM;
    private static final double EPSILON = 1e-6;

    private final Parameters parameters;
    private final Layers layers;

    Attention(Parameters parameters) {
        this.parameters = parameters;
        layers = new Layers(parameters);
    }

    /** Queries, keys and values, [B, heads, T, 64]. */
    private record Heads(Tensor q, Tensor k, Tensor v) {
        Tensor scores() {
            return torch.matmul(q.mul(new Scalar(1 / Math.sqrt(HEAD_DIM))), k.transpose(-2, -1));
        }
    }

    private Heads heads(String name, Tensor x) {
        long heads = x.size(2) / HEAD_DIM;
        Tensor qkv = layers.linear(name + ".qkv", x)
                .view(x.size(0), x.size(1), 3, heads, HEAD_DIM)
                .permute(2, 0, 3, 1, 4);
        return new Heads(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
    }

    private Tensor weighted(String name, Tensor weights, Tensor v, Tensor like) {
        Tensor joined = torch.matmul(weights, v).transpose(1, 2).reshape(like.size(0), like.size(1), like.size(2));
        return layers.linear(name + ".proj", joined);
    }

    private static Tensor softmax(Tensor scores) {
        return Layers.widened(scores).softmax(-1);
    }

    /** softmax(q k^T / 8) v of tokens [B, T, C], without positions. */
    Tensor plain(String name, Tensor x) {
        return Scoped.result(() -> {
            Heads heads = heads(name, x);
            return weighted(name, softmax(heads.scores()), heads.v, x);
        });
    }

    /** Attention of all tokens [B, N, C] to those that a policy [B, N] keeps, see {@link #weights}. */
    Tensor under(Tensor policy, String name, Tensor x) {
        return Scoped.result(() -> {
            Heads heads = heads(name, x);
            return weighted(name, weights(heads.scores(), policy), heads.v, x);
        });
    }

    /**
     * The weights of attention under a policy p, differentiable in it. With e_ij = exp(s_ij - max_j s_ij) m_ij, where m_ij =
     * p_j, and 1 on the diagonal: (e_ij + eps / N) / (sum_j e_ij + eps).
     *
     * @param scores [B, heads, N, N]
     * @param policy [B, N], 1 for a token that is attended to, 0 for one that is not
     */
    static Tensor weights(Tensor scores, Tensor policy) {
        Tensor s = Layers.widened(scores);
        long tokens = s.size(3);
        Tensor self = torch.eye(tokens, s.options());
        Tensor others = torch.ones_like(self).sub(self);
        Tensor mask = policy.unsqueeze(1).unsqueeze(1).mul(others).add(self);
        Tensor e = s.sub(s.amax(new long[] {-1}, true)).exp().mul(mask);
        Tensor sum = e.sum(-1).unsqueeze(-1);
        return e.add(new Scalar(EPSILON / tokens)).div(sum.add(new Scalar(EPSILON)));
    }

    /** Attention inside windows of a map [B, H, W, C]; the zeros that complete the last windows take part as keys. */
    Tensor windowed(String name, Tensor x) {
        return Scoped.result(() -> {
            long batch = x.size(0);
            long height = x.size(1);
            long width = x.size(2);
            long channels = x.size(3);
            long rows = (height + WINDOW - 1) / WINDOW;
            long columns = (width + WINDOW - 1) / WINDOW;
            Tensor padded = torch.constant_pad_nd(x, 0, 0, 0, columns * WINDOW - width, 0, rows * WINDOW - height);
            Tensor windows = padded.view(batch, rows, WINDOW, columns, WINDOW, channels)
                    .transpose(2, 3)
                    .reshape(batch * rows * columns, WINDOW * WINDOW, channels);
            return positioned(name, windows, WINDOW, WINDOW)
                    .view(batch, rows, columns, WINDOW, WINDOW, channels)
                    .transpose(2, 3)
                    .reshape(batch, rows * WINDOW, columns * WINDOW, channels)
                    .narrow(1, 0, height)
                    .narrow(2, 0, width);
        });
    }

    /** Attention across a whole map [B, H, W, C]. */
    Tensor dense(String name, Tensor x) {
        long height = x.size(1);
        long width = x.size(2);
        return Scoped.result(
                () -> positioned(name, x.flatten(1, 2), height, width).view(x.size(0), height, width, x.size(3)));
    }

    /** softmax(q k^T / 8 + bias) v, the bias being q's products with the relative positions' rows and columns. */
    private Tensor positioned(String name, Tensor x, long height, long width) {
        Heads heads = heads(name, x);
        Tensor q = heads.q.unflatten(2, height, width); // [B, heads, H, W, 64], unscaled
        Tensor byRow = torch.matmul(q, relative(name + ".rel_pos_h", height).transpose(1, 2));
        Tensor byColumn = torch.matmul(
                        q.transpose(2, 3), relative(name + ".rel_pos_w", width).transpose(1, 2))
                .transpose(2, 3);
        Tensor scores = heads.scores().unflatten(3, height, width).unflatten(2, height, width);
        Tensor biased = scores.add(byRow.unsqueeze(-1)).add(byColumn.unsqueeze(-2));
        return weighted(name, softmax(biased.flatten(4, 5).flatten(2, 3)), heads.v, x);
    }

    /** The table's row for every query's offset from every key, [size, size, 64]. */
    private Tensor relative(String name, long size) {
        Tensor table = parameters.get(name);
        if (table.size(0) != 2 * size - 1) { // of another grid: resized
            table = torch.upsample_linear1d(table.transpose(0, 1).unsqueeze(0), new long[] {2 * size - 1}, false)
                    .select(0, 0)
                    .transpose(0, 1);
        }
        long[] offsets = new long[(int) (size * size)];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = i / size - i % size + size - 1;
        }
        return table.index_select(0, Layers.indices(table, offsets)).view(size, size, HEAD_DIM);
    }
}
