import NIOCore
import TestSupport
import Testing

@testable import RPC
@testable import Traces

/// Every truncation and every flipped bit of a receiver's answer is an error, or an answer.
@Suite struct DamagedAnswerTests {
    @Test func anAnswerOfAReceiverTakesAnyDamage() throws {
        let whole = ByteBuffer.protobuf { answer in
            answer.writeField(1) { partial in
                partial.writeField(1, varint: 300)
                partial.writeField(2, "too many spans")
            }
        }
        let read = ExportResponse(rejected: 300, message: "too many spans")
        #expect(try ExportResponse.decode(whole) == read)
        var (same, refused) = (0, 0)
        Damage.each(of: whole) { damaged in
            do throws(RPCError) {
                if try ExportResponse.decode(damaged) == read { same += 1 }
            } catch {
                #expect(error.code == .internal)
                refused += 1
            }
        }
        #expect(same == 0 && refused > 0)
    }
}
