// SPDX-License-Identifier: Apache-2.0

internal import BenchBaseline
internal import EventLoop
internal import XML

/// A stream of everyday stanzas, parsed into elements, and by libxml2 with callbacks that do nothing.
enum ParseBench {
  private static let rounds = 7
  private static let megabytes = 10
  private static let pieceBytes = 16 * 1024

  @LoopActor
  static func run() async throws -> [Figure] {
    let stream = stream()
    var rates: [(ours: Double, baseline: Double)] = []
    for round in 0...rounds {
      Progress.tell(.parse, "round \(round) of \(rounds)")
      let result = await offLoop { (ours: ours(stream), baseline: plain(stream)) }
      guard let ours = result.ours, let plain = result.baseline else {
        throw BenchFailure("the stream to be parsed is not well-formed")
      }
      let size = Double(stream.count) / 1e6
      if round > 0 { rates.append((size / ours, size / plain)) }
    }
    return [Figure("parse", "stream parsing", "MB/s", rounds: rates, goal: .ratioAtLeast(0.45))]
  }

  private static func ours(_ stream: [UInt8]) -> Double? {
    let parser = StreamParser()
    let start = threadSeconds()
    let isRead = stream.withUnsafeBytes { bytes in
      var position = 0
      while position < bytes.count {
        let end = min(position + pieceBytes, bytes.count)
        let events = parser.feed(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
        if case .failed = events.last { return false }
        position = end
      }
      return true
    }
    return isRead ? threadSeconds() - start : nil
  }

  private static func plain(_ stream: [UInt8]) -> Double? {
    let start = threadSeconds()
    let code = stream.withUnsafeBytes { bytes in
      baseline_parse_empty(bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, pieceBytes)
    }
    return code == 0 ? threadSeconds() - start : nil
  }

  /// Presence with capabilities, a message, a disco answer and a roster push, over and over.
  private static func stream() -> [UInt8] {
    let header = """
      <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
      id='x' version='1.0' xml:lang='en'>
      """
    let stanzas = """
      <presence from='juliet@example.com/balcony' to='romeo@example.net/orchard'><show>away</show>\
      <status>be right back</status><priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' \
      node='http://example.org/client' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>\
      <x xmlns='vcard-temp:x:update'><photo/></x></presence>\
      <message from='juliet@example.com/balcony' to='romeo@example.net' type='chat' id='ktx72v49' xml:lang='en'>\
      <body>I have it in the kitchen &amp; will be with you at eight.</body>\
      <active xmlns='http://jabber.org/protocol/chatstates'/></message>\
      <iq from='romeo@example.net/orchard' to='juliet@example.com/balcony' type='result' id='disco1'>\
      <query xmlns='http://jabber.org/protocol/disco#info' \
      node='http://example.org/client#q07IKJEyjvHSyhy//CH0CxmKi8w='>\
      <identity category='client' type='pc' name='Client 0.11'/><feature var='http://jabber.org/protocol/caps'/>\
      <feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/disco#items'/>\
      <feature var='http://jabber.org/protocol/muc'/></query></iq>\
      <iq to='romeo@example.net/orchard' type='set' id='push'><query xmlns='jabber:iq:roster'>\
      <item jid='nurse@example.com' name='Nurse &amp; co' subscription='both'><group>Servants</group></item>\
      </query></iq>
      """
    let piece = Array(stanzas.utf8)
    var bytes = Array(header.utf8)
    while bytes.count < megabytes * 1_000_000 { bytes += piece }
    return bytes
  }
}
