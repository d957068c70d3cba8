import NIOCore
import TestSupport
import Testing

@testable import RPC

/// Every truncation and every flipped bit of the messages that RPC itself reads is an error with its code, or a message.
@Suite struct DamagedProtobufTests {
    /// - Returns: how many were taken all the same.
    private func taken<Value>(
        _ whole: ByteBuffer, _ code: StatusCode, _ read: (ByteBuffer) throws -> Value
    ) throws -> Int {
        _ = try read(whole)
        var count = 0
        Damage.each(of: whole) { damaged in
            do {
                _ = try read(damaged)
                count += 1
            } catch {
                #expect((error as? RPCError)?.code == code, "\(Array(damaged.readableBytesView)): \(error)")
            }
        }
        #expect(count < 9 * whole.readableBytes, "nothing was found wrong in any")
        return count
    }

    @Test func health() throws {
        let request = HealthMessages.request(service: "framemesh.Detector")
        #expect(try taken(request, .invalidArgument) { try HealthMessages.service(of: $0) } > 0)
        #expect(try taken(HealthMessages.response(.notServing), .internal) { try HealthMessages.status(of: $0) } > 0)
        let list = HealthMessages.list(["": .serving, "framemesh.Detector": .notServing])
        #expect(try taken(list, .internal) { try HealthMessages.statuses(of: $0) } > 0)
    }

    @Test func reflection() throws {
        let requests: [ByteBuffer] = [
            .protobuf { $0.writeField(3, "detector.proto") }, .protobuf { $0.writeField(4, "framemesh.Detector") },
            .protobuf { request in
                request.writeField(1, "host")
                request.writeField(5) { message in
                    message.writeField(1, "a.B")
                    message.writeField(2, varint: 300)
                }
            },
            .protobuf { $0.writeField(6, "a.B") }, .protobuf { $0.writeField(7, "all") },
        ]
        for request in requests {
            #expect(try taken(request, .invalidArgument) { try ReflectionMessages.query($0) } > 0)
        }
    }

    /// What is no status is kept as the bytes that came.
    @Test func richStatus() throws {
        var (statuses, others) = (0, 0)
        Damage.each(of: RichStatusTests.status.serialized) { damaged in
            var error = RPCError(.notFound, "no")
            error.details = Array(damaged.readableBytesView)
            if error.richStatus == nil { others += 1 } else { statuses += 1 }
            #expect(error.details == Array(damaged.readableBytesView))
        }
        #expect(statuses > 0 && others > 0)
    }
}
