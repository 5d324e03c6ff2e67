// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// One end of a component's stream: a blocking socket on loopback. As the component's own end it is a gateway that knows
/// nobody and nothing: whoever asks is sent presence.
final class ComponentPeer: @unchecked Sendable {
  private let socket: Int32
  /// What came behind the last answer. One thread at a time reads.
  private var rest: [UInt8] = []

  init(_ socket: Int32) {
    self.socket = socket
    var yes: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit { close(socket) }

  /// Ends what waits on it, too.
  func shutDown() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// Connects as a component, which is let in.
  static func connect(port: UInt16) -> ComponentPeer? {
    let peer = ComponentPeer(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(peer.socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected, peer.write("<stream:stream>"), peer.read(until: ">"),
      peer.write("<handshake></handshake>"), peer.read(until: "<handshake/>")
    else { return nil }
    return peer
  }

  /// Sends presence back for the next requests that come.
  /// - Returns: whether the stream goes on.
  func echo() -> Bool {
    guard receive() else { return false }
    var text = ""
    let end = Array("</presence>".utf8)
    while let found = rest.firstRange(of: end) {
      let request = String(decoding: rest[..<found.upperBound], as: UTF8.self)
      rest.removeFirst(found.upperBound)
      text += """
        <presence from='\(Self.value("to", in: request))' to='\(Self.value("from", in: request))'>\
        <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/' \
        ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>
        """
    }
    return write(text)
  }

  /// How many answers have come.
  /// - Parameter milliseconds: for how long to wait for the first.
  /// - Returns: `nil` when the connection has ended.
  func countAnswers(within milliseconds: Int32) -> Int? {
    var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { return 0 }
    guard receive() else { return nil }
    // A goodbye has nothing in it, and so no end tag.
    let end = Array("</presence>".utf8)
    var count = 0
    var start = 0
    while let found = rest[start...].firstRange(of: end) {
      count += 1
      start = found.upperBound
    }
    rest.removeFirst(max(start, rest.count - end.count))
    return count
  }

  func write(_ text: String) -> Bool { sendAll(text, to: socket) }

  /// Sends stanzas back as they come: the first ones of a component are pings of its domain to itself.
  func sendBack(_ count: Int) -> Bool {
    let end = Array("</iq>".utf8)
    for _ in 0..<count {
      while rest.firstRange(of: end) == nil { guard receive() else { return false } }
      guard let found = rest.firstRange(of: end),
        write(String(decoding: rest[..<found.upperBound], as: UTF8.self))
      else { return false }
      rest.removeFirst(found.upperBound)
    }
    return true
  }

  /// Takes in what comes until the component closes its stream, and closes it too.
  func takeLeave() {
    let end = Array("</stream:stream>".utf8)
    while rest.suffix(end.count) != end[...] {
      rest.removeFirst(max(0, rest.count - end.count))
      guard receive() else { return }
    }
    _ = write("</stream:stream>")
  }

  /// Reads until a word has come, and forgets it all.
  func read(until word: String) -> Bool {
    while rest.firstRange(of: Array(word.utf8)) == nil { guard receive() else { return false } }
    rest.removeAll()
    return true
  }

  private func receive() -> Bool {
    let room = 65_536
    let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      count = max(0, recv(socket, buffer.baseAddress, room, 0))
    }
    rest += bytes
    return !bytes.isEmpty
  }

  private static func value(_ name: String, in text: String) -> Substring {
    text.split(separator: " \(name)='", maxSplits: 1).last?.prefix { $0 != "'" } ?? ""
  }
}
