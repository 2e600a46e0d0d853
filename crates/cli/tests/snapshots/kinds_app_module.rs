//! The root of the application.

use nest_gateway::module;

use crate::a_filter_b::AFilterBFilter;
use crate::a_guard_b::AGuardBGuard;
use crate::a_interceptor_b::AInterceptorBInterceptor;
use crate::a_module_b::AModuleBModule;
use crate::a_service_b::AServiceBService;
use crate::flat_filter_b_filter::FlatFilterBFilter;
use crate::flat_guard_b_guard::FlatGuardBGuard;
use crate::flat_interceptor_b_interceptor::FlatInterceptorBInterceptor;
use crate::flat_module_b_module::FlatModuleBModule;
use crate::flat_service_b_service::FlatServiceBService;

/// Everything that belongs to the application: it imports the other modules.
#[module(
    imports(AModuleBModule, FlatModuleBModule),
    providers(
        AGuardBGuard,
        FlatGuardBGuard,
        AInterceptorBInterceptor,
        FlatInterceptorBInterceptor,
        AFilterBFilter,
        FlatFilterBFilter,
        AServiceBService,
        FlatServiceBService
    )
)]
pub struct AppModule;
