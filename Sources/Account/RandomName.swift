// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// Names that nobody can guess.
package enum RandomName {
  package static func make() -> String { Hex.encode(secureRandom(16)) }
}
