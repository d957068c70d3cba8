package import RPC
import Tracing

/// Makes each call of a server a span: below that of its caller, if it names one, or of a trace that begins here. What runs in
/// the handler's task works for that trace.
///
/// Put it before the interceptors whose refusals shall be seen.
package struct ServerTraces: ServerInterceptor {
    private let tracer: MeshTracer
    private let beginners: Set<String>

    /// - Parameter beginners: paths of the methods whose calls may begin a trace; others are seen only in traces of their
    ///   callers, so that probes and watches fill nobody's store.
    package init(_ tracer: MeshTracer, beginningAt beginners: Set<String>) {
        self.tracer = tracer
        self.beginners = beginners
    }

    package func hooks(for method: MethodDescription) -> CallHooks {
        let (name, path, mayBegin) = (method.name, method.path, beginners.contains(method.path))
        return CallHooks(
            admit: { [tracer] context in
                let caller = TraceContext(in: context.metadata)
                guard caller != nil || mayBegin else { return }
                let work = tracer.begin(name, .server, below: caller, isRemote: true)
                if let span = work.span {
                    span.describe(path)
                    span.attributes["network.peer.address"] = context.peer
                    context.values[LogInterceptor.Fields.self] = work.context.fields
                }
                context.values[TracedWork.self] = work
            },
            around: { context, handle in
                guard let work = context.values[TracedWork.self] else { return try await handle() }
                try await work.run(handle)
            },
            finished: { context, report in
                guard let span = context.values[TracedWork.self]?.span else { return }
                span.finish(report.error, isFault: report.code.isFaultOfServer)
                span.end(after: report.duration, receive: report.receive, send: report.send)
            })
    }
}
