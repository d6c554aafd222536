package org.jmatte.bench;

import java.util.SplittableRandom;

/**
 * Which tokens a router keeps.
 *
 * @param selected the kept ones, ascending
 * @param rest the others, ascending
 * @param inverse a token's rank among the kept ones, or the complement of its rank among the others
 */
record TokenChoice(int[] selected, int[] rest, int[] inverse) {
    /** So many of the tokens, each set of them as likely as another. */
    static TokenChoice random(int tokens, int kept) {
        TokenChoice choice = new TokenChoice(new int[kept], new int[tokens - kept], new int[tokens]);
        SplittableRandom random = new SplittableRandom(tokens);
        int taken = 0;
        for (int t = 0; t < tokens; t++) {
            int left = t - taken;
            if (random.nextInt(tokens - t) < kept - taken) {
                choice.selected[taken] = t;
                choice.inverse[t] = taken++;
            } else {
                choice.rest[left] = t;
                choice.inverse[t] = ~left;
            }
        }
        return choice;
    }
}
