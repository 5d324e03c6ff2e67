// SPDX-License-Identifier: Apache-2.0

/// What a server does with stanzas: who gets what, as a value without I/O and without a clock.
public struct LoopbackDomain {
  init(_ configuration: LoopbackConfiguration) {}
}
