// SPDX-License-Identifier: Apache-2.0

/// Whether the Doorkeepers, of accounts and of gateways, do their work.
package enum Guarding {
  #if WITHOUT_DOORKEEPER
  // Only `make test` builds this: it shows that the tests see what the doorkeepers prevent.
  package static let isOn = false
  #else
  package static let isOn = true
  #endif
}
