package org.jmatte.kernels;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test method with a {@link Device} as its one parameter: runs on the emulated sm_75 and sm_80. In a class that is
 * tagged {@code gpu} it runs on the card instead, so that {@link CardTest} repeats whole classes there.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(DeviceTestExtension.class)
@interface DeviceTest {}
