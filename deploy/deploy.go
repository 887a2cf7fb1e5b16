// Package deploy holds what installs lancred on an edge, and lancre follow at the origin.
package deploy

import _ "embed"

// FollowUnit is the unit of lancre follow, and FollowDir the directory in it that has
// its configuration, its store and its sources.
//
//go:embed systemd/lancre-follow.service
var FollowUnit string

// FollowDir is in FollowUnit wherever that directory is meant.
const FollowDir = "/var/lib/lancre-origin"
