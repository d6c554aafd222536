package org.jmatte.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jmatte.Roofline;

/** A profile as a table for the terminal: a row per operator, what the rest of the time was, and the machine's ceilings. */
final class OperatorTable {
    private static final String TIMES = "%7s  %10s  %7s";
    private static final String ROW = TIMES + "  %10s  %10s  %9s  %8s  %8s%n";
    private static final String OUTSIDE = "outside operators";

    private OperatorTable() {}

    static void print(Profile profile, PrintWriter out) {
        List<Profile.Operator> operators = profile.operators();
        int width = operators.stream().mapToInt(o -> o.name().length()).reduce(OUTSIDE.length(), Math::max);
        String name = "%-" + width + "s  ";
        out.printf(name, profile.ofKernels() ? "kernel" : "operator");
        out.printf(ROW, "calls", "ms", "share", "GFLOP", "MB", "GFLOP/s", "GB/s", "roofline");
        for (Profile.Operator operator : operators) {
            out.printf(name, operator.name());
            row(profile, operator, out);
        }
        out.printf(name, OUTSIDE);
        out.printf(TIMES + "%n", "", millis(profile.outside()), percent(profile.outside() / profile.seconds()));
        Profile.Operator total = new Profile.Operator(
                "total",
                operators.stream().mapToInt(Profile.Operator::calls).sum(),
                profile.seconds(),
                operators.stream().mapToLong(Profile.Operator::flops).sum(),
                operators.stream().mapToLong(Profile.Operator::bytes).sum());
        out.printf(name, total.name());
        row(profile, total, out);
        out.println(ceilings(profile));
    }

    private static void row(Profile profile, Profile.Operator operator, PrintWriter out) {
        out.printf(
                ROW,
                operator.calls(),
                millis(operator.seconds()),
                percent(operator.seconds() / profile.seconds()),
                number("%.3f", operator.flops() * 1e-9),
                number("%.3f", operator.bytes() * 1e-6),
                number("%.1f", operator.flopsPerSecond() * 1e-9),
                number("%.2f", operator.bytesPerSecond() * 1e-9),
                profile.roofline()
                        .map(roofline -> percent(operator.shareOf(roofline)))
                        .orElse("-"));
    }

    private static String ceilings(Profile profile) {
        return profile.roofline()
                .map(OperatorTable::ceilings)
                .orElse("The emulator ran the kernels: FLOPs and bytes are a card's, times the host's own and nobody's"
                        + " measure.");
    }

    private static String ceilings(Roofline roofline) {
        return String.format(
                Locale.ROOT,
                "This machine, in the same run: %.1f GB/s copied, %.1f GFLOP/s in matrix products. Roofline: the least time"
                        + " for that work, per the time it took.",
                roofline.bytesPerSecond() * 1e-9,
                roofline.flopsPerSecond() * 1e-9);
    }

    private static String millis(double seconds) {
        return number("%.3f", seconds * 1e3);
    }

    private static String percent(double share) {
        return number("%.1f %%", 100 * share);
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
