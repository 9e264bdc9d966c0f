names::function!(napi_register_module_v1);
