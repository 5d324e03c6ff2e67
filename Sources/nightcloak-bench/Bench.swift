// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// The benches by their names.
enum Bench: String, CaseIterable {
  case get
  case parse
  case start
  case memory
  case idle
  case decloak
  case roster
  case visibility
  case flood
  case gateway

  var summary: String {
    switch self {
    case .get: "a property read over D-Bus, against a service in plain C"
    case .parse: "an XML stream parsed, against libxml2 with empty callbacks"
    case .start: "from start to bus name owned, against the service in plain C"
    case .memory: "proportional set size: idle, and with accounts connected over TLS"
    case .idle: "wake-ups in \(IdleBench.seconds) seconds with a connected account and nothing to do"
    case .decloak: "a decloak answered without asking, against a bare socket that answers at once"
    case .roster: "connecting with \(RosterBench.large) contacts, against \(RosterBench.small)"
    case .visibility: "one contact more to see us, among \(VisibilityBench.many) against \(VisibilityBench.few)"
    case .flood:
      "\(FloodBench.requests) requests from \(FloodBench.people) strangers in a minute, and who else is served"
    case .gateway: "\(GatewayBench.rate) requests a second to a gateway, against a component that only sends presence"
    }
  }

  @LoopActor
  func run(in workshop: Workshop) async throws -> [Figure] {
    switch self {
    case .get: try await GetBench.run(in: workshop)
    case .parse: try await ParseBench.run()
    case .start: try await StartBench.run(in: workshop)
    case .memory: try await MemoryBench.run(in: workshop)
    case .idle: try await IdleBench.run(in: workshop)
    case .decloak: try await DecloakBench.run(in: workshop)
    case .roster: try await RosterBench.run(in: workshop)
    case .visibility: try await VisibilityBench.run(in: workshop)
    case .flood: try await FloodBench.run(in: workshop)
    case .gateway: try await GatewayBench.run(in: workshop)
    }
  }
}

/// Why a figure could not be had.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String
  init(_ text: String) { description = text }
}
