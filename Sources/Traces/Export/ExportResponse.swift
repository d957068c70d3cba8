import CTraceMessages
import NIOCore
import ProtobufStructs
import RPC

/// `ExportTraceServiceResponse`: what the receiver did not take of a request that it has answered.
struct ExportResponse: Sendable, Equatable {
    var rejected = 0
    /// Why; without a rejected span a warning. However long: only a line of the log has it, where it is cut.
    var message = ""

    /// A long text is no reason to refuse the number beside it: spans that were taken would count as lost.
    static func decode(_ bytes: ByteBuffer) throws(RPCError) -> ExportResponse {
        try unsafe ProtobufStruct.unpack(
            bytes, opentelemetry__proto__collector__trace__v1__export_trace_service_response__init,
            maxStringBytes: bytes.readableBytes,
            orThrow: { RPCError(.internal, "the answer is no ExportTraceServiceResponse: \($0)") }
        ) { (c) throws(RPCError) in
            var response = ExportResponse()
            guard let partial = unsafe c.partial_success else { return response }
            response.rejected = unsafe Int(max(0, partial.pointee.rejected_spans))
            if let message = unsafe partial.pointee.error_message {
                response.message = unsafe String(cString: message)
            }
            return response
        }
    }
}
