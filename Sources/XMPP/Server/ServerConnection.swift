// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import TLS
internal import XML

/// The connection below a server's end of a stream: reads it, and makes TLS.
@LoopActor
final class ServerConnection {
  /// What happened.
  enum Event {
    /// So many bytes came; told before what they say.
    case read(Int)
    /// What they say.
    case stream(StreamParser.Event, namespace: String, isLast: Bool)
    /// TLS is up.
    case secured([ChannelBinding: [UInt8]])
    /// The connection is gone.
    case lost
  }

  /// Told what happens. Set it to begin reading.
  var onEvent: (@LoopActor (Event) -> Void)? {
    didSet { listen() }
  }
  private(set) var isSecured = false
  private var transport: Transport?
  private var parser: StreamParser

  init(_ transport: Transport, limits: Limits) {
    self.transport = transport
    parser = StreamParser(limits: limits)
  }

  private func listen() {
    // Set once: later only whom it is told changes.
    guard onEvent != nil, let transport, transport.onEvent == nil else { return }
    transport.onEvent = { [weak self] event in
      switch event {
      case .received(let bytes): self?.received(bytes)
      case .closed: self?.lost()
      }
    }
  }

  private func received(_ bytes: UnsafeRawBufferPointer) {
    onEvent?(.read(bytes.count))
    let parser = parser
    let events = parser.feed(bytes)
    let hasRest = parser.bytesAfterLastStanza > 0
    for (index, event) in events.enumerated() {
      // What an earlier event began may have made these worthless: a new stream, TLS, or the end.
      guard parser === self.parser, transport != nil else { return }
      let isLast = index == events.count - 1 && !hasRest
      onEvent?(.stream(event, namespace: parser.contentNamespace, isLast: isLast))
    }
  }

  private func lost() {
    transport = nil
    onEvent?(.lost)
  }

  /// Begins to read a new stream, forgetting the old one.
  func restart(limits: Limits) { parser = StreamParser(limits: limits) }

  func send(_ bytes: [UInt8]) { transport?.send(bytes) }

  /// Makes TLS, and tells how it went. Nothing of what was read in the clear is kept.
  func startTLS(_ tls: ServerTLS, limits: Limits) {
    restart(limits: limits)
    spawn { await self.makeTLS(tls) }
  }

  private func makeTLS(_ tls: ServerTLS) async {
    guard let transport else { return }
    do throws(TransportError) {
      _ = try await transport.acceptTLS(tls)
      // Given up meanwhile.
      guard self.transport === transport else { return }
      isSecured = true
      let bindings = ChannelBinding.allCases.compactMap { kind in transport.channelBinding(kind).map { (kind, $0) } }
      onEvent?(.secured(Dictionary(uniqueKeysWithValues: bindings)))
    } catch {
      guard self.transport === transport else { return }
      lost()
    }
  }

  /// Closes the connection once everything is sent. Nothing is told any more.
  func close() {
    let transport = transport
    cut()
    transport?.close()
  }

  /// Drops the connection at once. Nothing is told any more.
  func cut() {
    onEvent = nil
    transport?.onEvent = nil
    transport = nil
  }
}
