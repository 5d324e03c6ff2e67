// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

// Capabilities, in line with the rosters.

extension CacheQueue {
  /// How many may wait to be written.
  nonisolated static let mostWaitingCapabilities = 64

  /// What was kept for a hash, with everything that was queued before.
  func capabilities(_ algorithm: String, _ hash: String) async -> String? {
    let answer = Answer<String>()
    await queue { [self] in
      let outcome = await offLoop { [database] in
        Result { () throws(StoreError) in try database.capabilities(algorithm, hash) }
      }
      switch outcome {
      case .success(let found): answer.value = found
      case .failure(let failure): onFault(failure)
      }
    }.value
    return answer.value
  }

  /// Writes it when it is its turn.
  func keep(_ new: StoredCapabilities) {
    guard waitingCapabilities.count < Self.mostWaitingCapabilities else { return }
    waitingCapabilities.append(new)
    guard waitingCapabilities.count == 1 else { return }
    queue { [self] in
      let batch = waitingCapabilities
      waitingCapabilities = []
      await attempt { database throws(StoreError) in try database.keep(batch) }
    }
  }

  func forgetCapabilities(_ algorithm: String, _ hash: String) {
    queue { [self] in
      await attempt { database throws(StoreError) in try database.forgetCapabilities(algorithm, hash) }
    }
  }

  private func attempt(_ work: @escaping @Sendable (CacheDatabase) throws(StoreError) -> Void) async {
    let outcome = await offLoop { [database] in Result { () throws(StoreError) in try work(database) } }
    if case .failure(let failure) = outcome { onFault(failure) }
  }
}
