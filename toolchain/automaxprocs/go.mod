module go.uber.org/automaxprocs

go 1.26.0

require tenantry.dev/toolchain v0.0.0
