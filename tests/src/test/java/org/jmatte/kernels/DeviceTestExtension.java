package org.jmatte.kernels;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** Behind {@link DeviceTest}. */
final class DeviceTestExtension implements TestTemplateInvocationContextProvider {
    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        if (context.getTags().contains("gpu")) {
            return Stream.of(new OnDevice("card", TestDevices::card, false));
        }
        return Stream.of(
                new OnDevice("emulated sm_75", () -> TestDevices.emulated(75, false), true),
                new OnDevice("emulated sm_80", () -> TestDevices.emulated(80, false), true));
    }

    private record OnDevice(String name, Supplier<Device> open, boolean close)
            implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int invocationIndex) {
            return name;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new Lender(open, close));
        }
    }

    private static final class Lender implements ParameterResolver, AfterEachCallback {
        private final Supplier<Device> open;
        private final boolean close;
        private Device device;

        Lender(Supplier<Device> open, boolean close) {
            this.open = open;
            this.close = close;
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Device.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            device = open.get();
            return device;
        }

        @Override
        public void afterEach(ExtensionContext context) {
            if (close && device != null) {
                device.close();
            }
        }
    }
}
