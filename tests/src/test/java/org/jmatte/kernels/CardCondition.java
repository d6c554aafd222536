package org.jmatte.kernels;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Behind {@link RequiresCard}. */
final class CardCondition implements ExecutionCondition {
    private static final ConditionEvaluationResult RESULT = evaluate();

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return RESULT;
    }

    private static ConditionEvaluationResult evaluate() {
        try {
            return ConditionEvaluationResult.enabled("on " + TestDevices.card().name());
        } catch (DeviceException | ExceptionInInitializerError e) {
            Throwable reason = e instanceof ExceptionInInitializerError ? e.getCause() : e;
            System.out.println("Tests on a card are skipped: " + reason.getMessage()); // Surefire keeps it to its files
            return ConditionEvaluationResult.disabled(reason.getMessage());
        }
    }
}
