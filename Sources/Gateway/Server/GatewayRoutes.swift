import Hummingbird

/// All routes of a gateway, each behind its guard, and what stands before all of them.
struct GatewayRoutes {
    let services: GatewayServices
    let page: PageAssets
    let table: RouteTable

    func router() -> Router<GatewayContext> {
        let configuration = services.configuration
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        // The first stands before all others.
        router.add(middleware: MetricsMiddleware(metrics: services.metrics))
        if let tracer = configuration.tracer { router.add(middleware: TraceMiddleware(tracer: tracer)) }
        router.add(middleware: SecurityHeaders())
        router.add(middleware: CrossOrigin(allowed: configuration.origins))
        router.add(middleware: ProblemMiddleware(routes: table, metrics: services.metrics))
        router.add(middleware: HostCheck(names: configuration.hosts))
        router.add(
            middleware: IdentifyMiddleware(
                credentials: configuration.credentials, file: configuration.credentialsFile,
                rates: CallerRates(configuration.limits.rate),
                limits: configuration.limits.rate))

        let open = routes(.open, router)
        PageRoutes(page: page).add(to: open.group())
        HealthRoutes(services: services).add(to: open.group())
        let analyze = routes(.analyze, router).group("v1")
        PipelineRoutes(services: services).add(to: analyze)
        PictureRoutes(services: services).add(to: analyze)
        if let videos = services.videos { VideoRoutes(services: services, videos: videos).add(to: analyze) }
        StreamRoutes(services: services).add(to: analyze)
        let admin = routes(.admin, router)
        NodeRoutes(services: services).add(to: admin.group("v1"))
        MetricsRoutes(metrics: configuration.metrics).add(to: admin.group())
        return router
    }

    private func routes(_ access: Access, _ router: Router<GatewayContext>) -> GuardedRoutes {
        GuardedRoutes(access, router, table, hasCredentials: services.configuration.hasCredentials)
    }
}
